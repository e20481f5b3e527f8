"""Which names of a header come near the columns that it lacks: what payers call them, or nearly what they are called here."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from sij_audit.transforms.columns import COLUMNS

PAYERS_NAMES = {
    "claim_id": (
        *("claim_number", "claim_no", "claim_num", "claim_nbr", "claim", "clm_id", "clm_no", "clm_num", "clm_nbr", "claim_control_number"),
        *("internal_control_number", "icn", "dcn", "tcn", "document_control_number", "payer_claim_control_number", "cur_clm_uniq_id"),
    ),
    "claim_line_number": (
        *(
            "line_number",
            "line_no",
            "line_num",
            "line_nbr",
            "line",
            "line_id",
            "claim_line",
            "claim_line_id",
            "clm_line_num",
            "clm_line_no",
        ),
        *("service_line", "service_line_number", "svc_line", "svc_line_no", "line_sequence", "line_seq", "line_seq_no", "sequence_number"),
    ),
    "member_id": (
        *("member_number", "member_no", "member", "mbr_id", "mbr_no", "mem_id", "subscriber_id", "subscriber_number", "subscriber"),
        *(
            "enrollee_id",
            "insured_id",
            "patient_id",
            "beneficiary_id",
            "bene_id",
            "bene_mbi_id",
            "mbi",
            "hicn",
            "recipient_id",
            "medicaid_id",
        ),
    ),
    "claim_line_start_date": (
        *(
            "date_of_service",
            "dos",
            "dos_from",
            "from_dos",
            "service_date",
            "svc_date",
            "svc_dt",
            "service_from_date",
            "service_start_date",
        ),
        *("from_date", "from_dt", "line_from_date", "line_start_date", "first_date_of_service", "begin_date", "clm_line_from_dt"),
    ),
    "hcpcs_code": (
        *("hcpcs", "hcpcs_cd", "cpt", "cpt_code", "cpt_hcpcs", "cpt_hcpcs_code", "hcpcs_cpt", "procedure_code", "procedure", "proc_code"),
        *("proc_cd", "service_code", "px_code", "clm_line_hcpcs_cd"),
    ),
    "paid_amount": (
        *("amount_paid", "paid_amt", "amt_paid", "net_paid", "net_paid_amount", "payment", "payment_amount", "plan_paid", "pd_amt"),
        *("plan_paid_amount", "line_paid_amount", "line_paid", "clm_line_cvrd_pd_amt", "clm_pmt_amt"),
    ),
}
"""What payers and the files of CMS call the columns that an extract must have."""

NEARNESS = 0.78
"""How much of two names must agree, between 0 and 1, so that one comes near the other."""

NAME = re.compile(r"[A-Za-z](?:[A-Za-z_ .#/()-]|[0-9](?!.*[0-9].*[0-9])){0,39}")
"""What may be shown as a name: nothing with the digits of a number, since the first row of a file may be a row of data."""


def letters_of(name: str) -> str:
    """Give what counts of a name: its letters and digits, in lower case."""
    return re.sub(r"[\W_]", "", name.lower())


KNOWN_NAMES = {letters_of(column.name): column.name for column in COLUMNS} | {
    letters_of(name): column for column, names in PAYERS_NAMES.items() for name in names
}
"""Which column is meant by a name, by the letters of the name."""


def find_near(column: str, names: Iterable[str]) -> list[str]:
    """List the names that come near a column, what payers call it first; none that is known for another."""
    shown = {letters_of(name): name for name in names if NAME.fullmatch(name) and KNOWN_NAMES.get(letters_of(name), column) == column}
    exact = [letters for letters in shown if letters in KNOWN_NAMES]
    near = get_close_matches(letters_of(column), shown, n=2, cutoff=NEARNESS)
    return [shown[letters] for letters in dict.fromkeys((*exact, *near))]


def describe_near(lacking: Sequence[str], names: Iterable[str]) -> str:
    """Say which names come near the columns that are lacking; empty where none does."""
    near = {column: found for column in lacking if (found := find_near(column, names))}
    if not near:
        return ""
    pairs = [f"{' or '.join(found[:2])} for {column}" for column, found in near.items()]
    return f"Names that come near: {', '.join(pairs)}."
