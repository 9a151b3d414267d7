DROP TABLE balance_terms;
DROP TABLE balance_samples;
DROP TABLE key_balances;
