"""Reading the files of trial registers: one register or format a module."""
