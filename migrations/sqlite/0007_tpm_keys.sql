-- The P-256 key that a machine keeps in its TPM or secure enclave (base64 of its SubjectPublicKeyInfo). Whoever speaks for the
-- machine through LicenseSpring's API has to sign with it from then on.
alter table activation add column tpm_key text;
