DROP TABLE balance;
DROP FUNCTION balance_follows();
DROP TABLE entry;
DROP FUNCTION entry_added();
DROP FUNCTION append_only();
