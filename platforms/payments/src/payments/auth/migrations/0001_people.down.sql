DROP TABLE audit;
DROP FUNCTION audit_is_append_only();
DROP TABLE mail, refresh_token, session, recovery_code, password_reset, registration, users;
