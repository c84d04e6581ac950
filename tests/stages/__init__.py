"""An autodiff engine as learners type it, at each stage at which it changes.

Each file is the text of a notebook cell, and complete: it defines the classes as they are after
that stage, no more. The numbers of the stages are the book's. What is wrong with a stage (13
overwrites, 14 is too early) is wrong here, too.
"""
