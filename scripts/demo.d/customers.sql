-- 200 000 customers. The names are made of lists; some people have one name only, some last names are two words.
CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    full_name text NOT NULL,
    email text NOT NULL,
    country text NOT NULL,
    created_at timestamptz NOT NULL
);

WITH lists AS (
    SELECT
        ARRAY[
            'Ada', 'Alan', 'Amara', 'Anna', 'Aiko', 'Björn', 'Carlos', 'Chiara', 'Chidi', 'Claire', 'Daniel', 'Elif',
            'Emma', 'Fatima', 'Francesca', 'Gabriel', 'Grace', 'Hannah', 'Hiroshi', 'Ingrid', 'Ivan', 'Jamal', 'Jan',
            'João', 'Kofi', 'Lars', 'Leïla', 'Liam', 'Lucía', 'Mateo', 'Mei', 'Nadia', 'Noah', 'Olga', 'Omar',
            'Priya', 'Rafael', 'Rosa', 'Samuel', 'Sofia', 'Tomáš', 'Valentina', 'Wei', 'Yara', 'Zoë'
        ] AS first,
        ARRAY[
            'Adeyemi', 'Andersen', 'Bauer', 'Bianchi', 'de la Cruz', 'Dubois', 'Eriksson', 'Fernández', 'García Márquez',
            'Haddad', 'Hansen', 'Hernández', 'Ito', 'Jansen', 'Johnson', 'Kaya', 'Kim', 'Kowalska', 'Kumar', 'Lefèvre',
            'Li', 'Lopez Obrador', 'Mensah', 'Müller', 'Murphy', 'Nguyen', 'Novák', 'O''Brien', 'Okafor', 'Oliveira',
            'Patel', 'Petrov', 'Rossi', 'Sato', 'Schmidt', 'Silva', 'Singh', 'Smith', 'Tanaka', 'van der Berg',
            'von Humboldt', 'Wang', 'Williams', 'Yılmaz', 'Zhang'
        ] AS last,
        ARRAY['Cher', 'Madonna', 'Björk', 'Pelé', 'Sting', 'Adele', 'Ronaldinho', 'Shakira'] AS single,
        ARRAY['BR', 'CZ', 'DE', 'DK', 'ES', 'FR', 'GB', 'GH', 'IN', 'IT', 'JP', 'MX', 'NG', 'PL', 'SE', 'TR', 'US'] AS country
)
INSERT INTO customers (full_name, email, country, created_at)
SELECT
    CASE
        WHEN h % 50 = 0 THEN single[1 + h / 50 % array_length(single, 1)]
        ELSE first[1 + h % array_length(first, 1)] || ' ' || last[1 + h / 64 % array_length(last, 1)]
    END,
    'customer' || i || '@shop.example',
    country[1 + h / 4096 % array_length(country, 1)],
    timestamptz '2019-01-01 00:00Z' + h % 200000000 * interval '1 second'
FROM lists, generate_series(1, 200000) AS i, LATERAL (SELECT hashint4(i) & 2147483647) AS hash (h)
ORDER BY i;

ANALYZE customers;
