"""The documents, and what makes them: prose in `templates/`, what they show of the program from `generator/`."""
