"""Jobs and large predictions: every change of their state is one conditional write.

Whoever wins the write does the work; everybody else learns from the failed condition. Where the
items lie is `table/keys.py`'s; times that are compared are whole epoch seconds.
"""
