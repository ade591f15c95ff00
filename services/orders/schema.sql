create table if not exists orders (
	id           text primary key,
	user_id      text not null,
	product_id   text not null,
	product_name text not null,
	price_cents  bigint not null,
	quantity     bigint not null,
	status       text not null,
	reason       text not null,
	placed_at    timestamptz not null,
	version      bigint not null
);
create index if not exists orders_by_user on orders (user_id, placed_at desc, id desc);
create index if not exists orders_by_age on orders (placed_at);
create index if not exists orders_sold on orders (product_id) where status = 'confirmed';

-- Copies of what users and catalog own, kept up to date by their events.
create table if not exists users (
	id      text primary key,
	name    text not null,
	version bigint not null
);
create table if not exists products (
	id          text primary key,
	name        text not null,
	price_cents bigint not null,
	version     bigint not null
);
