"""What it takes DuckDB to filter a Parquet extract and give the columns that the audit needs: python benchmarks/peer_duckdb_scan.py EXTRACT."""

import sys

import duckdb
from codes import CODES

COLUMNS = [
    "claim_id",
    "claim_line_number",
    "claim_type",
    "person_id",
    "member_id",
    "payer",
    "plan",
    "claim_start_date",
    "claim_end_date",
    "claim_line_start_date",
    "bill_type_code",
    "service_unit_quantity",
    "hcpcs_code",
    "hcpcs_modifier_1",
    "hcpcs_modifier_2",
    "rendering_npi",
    "billing_npi",
    "facility_npi",
    "paid_date",
    "paid_amount",
    "allowed_amount",
    "charge_amount",
    "data_source",
    "claim_status",
    "claim_frequency_code",
    "replaced_claim_id",
    "line_of_business",
    "prior_authorization_number",
]
QUERY = f"select {', '.join(COLUMNS)} from read_parquet($file) where hcpcs_code in (select unnest($codes))"

print(duckdb.execute(QUERY, {"file": sys.argv[1], "codes": list(CODES)}).to_arrow_table().num_rows)
