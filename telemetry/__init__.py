"""What programs tell about themselves, in one form for all of them; standard library alone.

May not import any of our packages: every program imports it, the model server too.
"""
