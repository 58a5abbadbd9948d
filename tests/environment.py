"""Settings of a test run, set before Django reads them (loaded with pytest's -p).

Plain static files and a key of its own: tests need neither collectstatic nor ./run.
"""

import os

os.environ["DEBUG"] = "true"
os.environ["SITE_URL"] = "http://127.0.0.1:8000"
os.environ["EMAIL_URL"] = "memorymail://"
