DROP TABLE cursor;
DROP TABLE settlement;
DROP TABLE dispute;
DROP TABLE history;
DROP TABLE operation;
DROP TABLE transaction;
