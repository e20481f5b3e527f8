"""Extracts in, batches out: every row checked and accounted for, the lines that the audit may need kept, refused rows kept beside them."""
