"""What `manage.py bench` measures: one module for each kind of work.

Everything runs in databases of its own and in processes of their own. What is compared
is measured in turns, and the median counts: machines are shared and never twice alike.
Functions that a module hands to a process (its jobs) act on that process's database.
"""
