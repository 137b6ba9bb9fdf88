"""Coordinators' actions on spots; each call checks permissions first."""
