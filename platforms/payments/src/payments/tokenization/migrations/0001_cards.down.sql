DROP TABLE access;
DROP FUNCTION access_is_append_only();
DROP TABLE token;
DROP TABLE card;
