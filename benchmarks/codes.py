"""What the peers know: the codes of invasive pain procedures by family, and the columns that their rules read."""

FAMILIES = {
    "sij_injection": ["27096", "G0260"],
    "sij_nerve_block": ["64451"],
    "sij_radiofrequency": ["64625"],
    "epidural_injection": ["62320", "62321", "62322", "62323", "62324", "62325", "62326", "62327", "64479", "64480", "64483", "64484"],
    "facet_injection": ["64490", "64491", "64492", "64493", "64494", "64495", "0213T", "0214T", "0215T", "0216T", "0217T", "0218T"],
    "facet_radiofrequency": ["64633", "64634", "64635", "64636"],
    "sympathetic_block": ["64510", "64517", "64520", "64530"],
    "trigger_point_injection": ["20552", "20553"],
}
CODES = {code: family for family, codes in FAMILIES.items() for code in codes}

COLUMNS = [
    "claim_id",
    "person_id",
    "claim_line_start_date",
    "hcpcs_code",
    "paid_amount",
    "claim_status",
    "claim_frequency_code",
    "line_of_business",
]
