"""Chat templates, rendered in a process of its own.

A template is a program from a model's repository. Jinja's sandbox keeps it from the system, but lets it loop
for ever and build texts of any size, in one operation that no thread can stop. A process can be ended.
"""
