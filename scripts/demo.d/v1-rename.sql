-- Version 1 of the shop renames a customer: it knows full_name.
\set id random(1, 200000)
\set other random(1, 200000)
UPDATE customers SET full_name = (SELECT full_name FROM customers WHERE id = :other) WHERE id = :id;
