"""The use cases, and the only place that joins the rooms.

`finder` answers look-ups; `setup` makes the database ready; `placing` gives sites their coordinates.
"""
