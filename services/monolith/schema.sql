create table if not exists users (
	id      text primary key,
	name    text not null,
	email   text not null,
	version bigint not null
);
create table if not exists products (
	id          text primary key,
	name        text not null,
	category    text not null,
	description text not null,
	price_cents bigint not null,
	version     bigint not null
);
create table if not exists stock (
	product_id text primary key references products,
	level      bigint not null check (level >= 0),
	reserved   bigint not null,
	delivered  bigint not null,
	check (level + reserved = delivered)
);
-- One database can promise what no two can: no order without its user and its product.
create table if not exists orders (
	id           text primary key,
	user_id      text not null references users,
	product_id   text not null references products,
	product_name text not null, -- when ordered, as is the price
	price_cents  bigint not null,
	quantity     bigint not null,
	status       text not null,
	reason       text not null,
	placed_at    timestamptz not null,
	version      bigint not null
);
create index if not exists orders_by_user on orders (user_id, placed_at desc, id desc);
create index if not exists orders_sold on orders (product_id) where status = 'confirmed';
create index if not exists orders_by_age on orders (placed_at, id);
alter table users add column if not exists registered_at timestamptz not null default now();
create index if not exists users_by_age on users (registered_at, id);
