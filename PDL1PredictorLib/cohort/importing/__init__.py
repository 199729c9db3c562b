"""Tables of cohorts made from what a hospital or an archive hands out."""
