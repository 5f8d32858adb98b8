# One line a target.
