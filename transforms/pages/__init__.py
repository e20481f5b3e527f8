"""What people look at: the report page and members' pages, with their charts; no cell of fewer than 11 members leaves it."""
