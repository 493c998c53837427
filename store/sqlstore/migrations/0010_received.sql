-- When a customer's row first came in: the date of a lead that states none.

ALTER TABLE customer ADD COLUMN received_at TEXT; -- null: not known, it came before this was kept

DROP VIEW readable_customer;

CREATE VIEW readable_customer AS
SELECT v.account_id AS account, s.id AS source, r.id, r.received_at, r.doc
FROM customer r
JOIN account_version v ON v.account_no = r.account_no
LEFT JOIN source s ON s.account_no = r.account_no AND s.seq = r.source;
