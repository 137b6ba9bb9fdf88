"""The enrolment forecast: recruitment rates, their effect under caps, and what-if plans.

=============  =====================================================================
`clock`        time as a pace counts it, and the lag from hold to enrolment
`rates`        the sites' rates, fitted to what they have enrolled in their open time
`pace`         the paces that the data allow, each with its weight
`changes`      whether the recent pace is that of before, in words
`counts`       exact distributions of numbers of people, their sums, and caps
`plan`         the sites and caps from now on, and what-if changes
`study`        the whole study: enrolled by a date, the date it is full
`sites`        sites that compete for the same spots, by simulation
`underway`     referrals in progress: how many will enrol
`outlook`      all of it as one value
`full_soon`    the sites that a match calls likely full
`sheet`        the forecast as a report
`tables`       its tables
=============  =====================================================================
"""
