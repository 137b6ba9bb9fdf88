"""The enrolment forecast: recruitment rates, their effect under caps, and what-if plans.

==============  ====================================================================================
`rates`         the sites' rates, fitted to what they have enrolled in their open time `counts`        exact
distributions of a number of people, added up and cut off at caps `plan`          the sites and caps from now on, and
what-if changes `study`         the whole study: enrolled by a date, the date it is full `sites` sites that compete for
the same spots, by simulation `underway`      referrals in progress: how many will enrol `sheet` the forecast as a
report
==============  ====================================================================================
"""
