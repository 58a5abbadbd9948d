"""What `manage.py bench` measures: one module for each kind of work.

Everything runs in databases of its own and in processes of their own. Machines are
shared and never twice alike: what is compared is measured in turns, and the median of
the rounds counts, or the fastest where a module says so. Functions that a module hands
to a process (its jobs) act on that process's database.
"""
