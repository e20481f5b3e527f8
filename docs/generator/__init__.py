"""Make the documents: `templates/` has their prose, headers, reference tables, settings and code what they list, commands what they print.

What enters: the checkout. What leaves: the text of each page, by its path. `make docs` writes them, `make check` compares them.
"""
