"""Find, in a health plan's claims, sacroiliac joint procedures that were not billed within clinical policy CP.MP.166."""
