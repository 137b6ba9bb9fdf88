"""The enrolment forecast: how fast sites recruit, what that means under caps, and what would change it.

==============  ====================================================================================
`rates`         the sites' rates, fitted to what they have enrolled in their open time
`counts`        distributions of a number of people, added up and cut off at caps, exactly
`plan`          who can enrol from now on, under which caps; and what if that changes
`study`         the whole study: enrolled by a date, the date it is full
`sites`         each site among others that compete for the same spots, by simulation
`underway`      people under way now: how many will enrol
`sheet`         all that as a report
==============  ====================================================================================
"""
