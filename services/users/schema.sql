create table if not exists users (
	id      text primary key,
	name    text not null,
	email   text not null,
	version bigint not null
);
