-- A small shop, as an application of its own would keep it. Rolecall knows nothing of it but what rolecall.yml says.
PRAGMA foreign_keys = ON;

CREATE TABLE customers (
    email TEXT PRIMARY KEY NOT NULL,
    name  TEXT NOT NULL,
    city  TEXT
);

CREATE TABLE orders (
    id        INTEGER PRIMARY KEY,
    customer  TEXT NOT NULL REFERENCES customers(email) ON UPDATE CASCADE,
    status    TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'paid', 'shipped', 'cancelled')),
    placed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    note      TEXT,
    UNIQUE (id, customer)
);

CREATE TABLE order_lines (
    order_id INTEGER NOT NULL,
    line     INTEGER NOT NULL,
    customer TEXT NOT NULL,
    article  TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    price    REAL NOT NULL,
    cost     REAL,
    amount   REAL GENERATED ALWAYS AS (quantity * price) STORED,
    PRIMARY KEY (order_id, line),
    FOREIGN KEY (order_id, customer) REFERENCES orders(id, customer) ON DELETE CASCADE ON UPDATE CASCADE
) WITHOUT ROWID;

INSERT INTO customers VALUES
    ('carla@example.com', 'Carla', 'Lisbon'), ('david@example.com', 'David', 'Oslo');
INSERT INTO orders(id, customer, status, note) VALUES
    (1, 'carla@example.com', 'paid', NULL), (2, 'david@example.com', 'open', 'calls twice a day');
INSERT INTO order_lines(order_id, line, customer, article, quantity, price, cost) VALUES
    (1, 1, 'carla@example.com', 'kettle', 1, 39.9, 21.5), (1, 2, 'carla@example.com', 'tea', 4, 6.5, 2.1),
    (2, 1, 'david@example.com', 'lamp', 2, 24, 11);
