"""Which names of a header come near the columns that it lacks: what payers call them, or nearly what they are called here."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from sij_audit.transforms.columns import COLUMNS

PAYERS_NAMES = {
    column: tuple(names.split())
    for column, names in {
        "claim_id": (
            "claim_number claim_no claim_num claim_nbr claim clm_id clm_no clm_num clm_nbr claim_control_number "
            "internal_control_number icn dcn tcn document_control_number payer_claim_control_number cur_clm_uniq_id"
        ),
        "claim_line_number": (
            "line_number line_no line_num line_nbr line line_id ln ln_no ln_nbr clm_ln "
            "claim_line claim_line_id clm_line_num clm_line_no service_line "
            "service_line_number svc_line svc_line_no line_sequence line_seq line_seq_no sequence_number"
        ),
        "claim_type": "claim_type_code clm_type clm_type_cd claim_form claim_form_type form_type",
        "person_id": "person person_key member_key mpi master_person_id enterprise_person_id empi",
        "member_id": (
            "member_number member_no member mbr_id mbr_no mem_id subscriber_id subscriber_number subscriber enrollee_id insured_id patient_id "
            "beneficiary_id bene_id bene_mbi_id mbi hicn recipient_id medicaid_id"
        ),
        "payer": "payer_name payor payor_name carrier carrier_name insurer",
        "plan": "plan_name plan_id plan_code health_plan benefit_plan",
        "claim_start_date": ("claim_from_date clm_from_dt statement_from_date statement_from header_from_date header_service_from_date"),
        "claim_end_date": "claim_thru_date claim_to_date clm_thru_dt statement_thru_date statement_to_date header_thru_date",
        "claim_line_start_date": (
            "date_of_service dos dos_from from_dos service_date svc_date svc_dt service_from_date service_start_date from_date from_dt "
            "line_from_date line_start_date first_date_of_service begin_date clm_line_from_dt"
        ),
        "claim_line_end_date": (
            "dos_to dos_thru to_dos thru_dos service_to_date service_thru_date service_end_date to_date thru_date line_to_date line_thru_date "
            "line_end_date last_date_of_service end_date clm_line_thru_dt"
        ),
        "place_of_service_code": "place_of_service pos pos_code pos_cd place_of_svc plc_of_srvc_cd clm_pos_cd",
        "bill_type_code": "bill_type type_of_bill tob tob_code type_of_bill_code",
        "revenue_center_code": "revenue_code rev_code rev_cd revenue_center rev_cntr rev_ctr_cd revenue_cd",
        "service_unit_quantity": "units unit_count service_units svc_units units_of_service quantity qty line_srvc_cnt unit_qty billed_units",
        "hcpcs_code": (
            "hcpcs hcpcs_cd cpt cpt_code cpt_hcpcs cpt_hcpcs_code hcpcs_cpt procedure_code procedure proc_code proc_cd service_code px_code "
            "clm_line_hcpcs_cd"
        ),
        **{
            f"hcpcs_modifier_{n}": (
                f"modifier_{n} mod_{n} modifier_code_{n} modifier{n}_code proc_modifier_{n} procedure_modifier_{n} hcpcs_mod_{n} "
                f"cpt_modifier_{n} hcpcs_{n}_mdfr_cd" + (" modifier modifiers mod hcpcs_modifier cpt_modifier" if n == 1 else "")
            )
            for n in range(1, 6)
        },
        "rendering_npi": (
            "rendering_provider_npi rendering_provider rendering svc_npi svc_prov_npi rend_npi "
            "npi_rendering performing_npi performing_provider_npi servicing_npi "
            "servicing_provider_npi treating_npi service_provider_npi prf_physn_npi provider_npi"
        ),
        "billing_npi": (
            "billing_provider_npi billing_provider npi_billing bill_npi group_npi pay_to_npi payee_npi vendor_npi "
            "bill_prov_npi carr_clm_blg_npi_num"
        ),
        "facility_npi": "facility_provider_npi service_facility_npi service_location_npi location_npi",
        "paid_date": (
            "adjudication_date adjudicated_date adjud_date payment_date pay_date paid_dt pmt_date process_date processed_date check_date "
            "claim_paid_date clm_pd_dt finalized_date remit_date"
        ),
        "paid_amount": (
            "amount_paid paid_amt amt_paid net_paid net_paid_amount payment payment_amount plan_paid pd_amt plan_paid_amount line_paid_amount "
            "line_paid clm_line_cvrd_pd_amt clm_pmt_amt paid"
        ),
        "allowed_amount": "amount_allowed allowed_amt amt_allowed allowed line_allowed allow_amt line_allowed_amount eligible_amount",
        "charge_amount": (
            "charge charges charged_amount charge_amt billed_amount billed_amt amount_billed billed submitted_amount submitted_charge "
            "line_charge line_charge_amount total_charge"
        ),
        **{
            f"diagnosis_code_{n}": f"diag_{n} dx_{n} icd_{n} icd10_{n} diagnosis_{n} diag_code_{n} dx_code_{n} icd_dx_{n} icd_dgns_cd{n}"
            + (" diagnosis diagnosis_code principal_diagnosis primary_diagnosis primary_dx prncpal_dgns_cd" if n == 1 else "")
            for n in range(1, 26)
        },
        "data_source": "source source_system system_code source_code claim_system platform",
        "file_date": "extract_date extraction_date delivery_date as_of_date",
        "version_number": "version claim_version adjustment_sequence adj_seq adjustment_number",
        "claim_status": "status claim_status_code line_status clm_status clm_sts_cd sts status_code clm_line_status paid_denied disposition",
        "claim_frequency_code": "frequency_code claim_frequency freq_code clm_freq_cd frequency clm_bill_freq_cd bill_frequency_code",
        "replaced_claim_id": (
            "original_claim_id original_claim_number orig_claim_no original_reference_number replaced_claim_number adjusted_claim_id "
            "prior_claim_id parent_claim_id orig_clm_id"
        ),
        "line_of_business": "lob lob_code line_of_bus product_line business_line product lob_desc",
        "state": "member_state state_code st",
        "prior_authorization_number": (
            "authorization_number auth_number auth_no authorization prior_auth prior_authorization prior_auth_number auth_id auth_num"
        ),
    }.items()
}
"""What payers and the files of CMS call the columns."""

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
