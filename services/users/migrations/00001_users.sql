-- +goose Up
-- A store that was made before it had migrations has the table, and is taken as it is.
create table if not exists users (
	id      text primary key,
	name    text not null,
	email   text not null,
	version bigint not null
);
