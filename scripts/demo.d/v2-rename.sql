-- Version 2 of the shop renames a customer: it knows last_name.
\set id random(1, 200000)
\set other random(1, 200000)
UPDATE customers SET last_name = (SELECT last_name FROM customers WHERE id = :other) WHERE id = :id;
