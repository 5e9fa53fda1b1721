/**
 * The tables of a schema, as the first migration makes them. Every text compares by its bytes, whatever the database's
 * collation is. Times are milliseconds of the database's clock. No column that changes often is in an index, and pages
 * have room for another version of a row, so that most changes write no index.
 */
export function tables(schema: string): string {
  return `
create table ${schema}.member (
  id text collate "C" primary key, host text not null, services text[] not null, level int not null,
  until timestamptz not null
) with (fillfactor = 50);

create table ${schema}.lane (
  service text collate "C", lane int, lanes int not null, source text not null, owner text, epoch bigint not null,
  batch bigint not null, next_n bigint not null, time_ms float8 not null, level int not null, tries int not null,
  suspect text, stopped text, primary key (service, lane)
) with (fillfactor = 20);

create table ${schema}.position (
  service text collate "C", topic text collate "C", partition int, log_id text not null, next_offset bigint not null,
  last_offset bigint, last_id text, marks text not null, primary key (service, topic, partition)
) with (fillfactor = 40);

create table ${schema}.state (
  service text collate "C", kind text collate "C", id text collate "C", home int not null, version bigint not null,
  schema int not null, body text not null, primary key (service, kind, id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- A row holds what one batch sent to one destination. What is below first_n in it has been trimmed.
create table ${schema}.outbox (
  service text collate "C", lane int, topic text collate "C", partition int, last_n bigint, first_n bigint not null,
  count int not null, records bytea not null, primary key (service, lane, topic, partition, last_n)
) with (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.05);

create table ${schema}.sent (
  service text collate "C", lane int, topic text collate "C", partition int, n bigint not null, log_id text not null,
  last_offset bigint not null, primary key (service, lane, topic, partition)
) with (fillfactor = 40);

create table ${schema}.timer (
  service text collate "C", partition int, key text collate "C", name text collate "C", due_ms float8 not null,
  schema int not null, body text not null, correlation text not null, causation text not null,
  primary key (service, partition, key, name)
) with (autovacuum_vacuum_scale_factor = 0.05);
create index timer_due on ${schema}.timer (service, partition, due_ms);

-- head: the first of its entity and queue. Only heads are called, so only they are found by time.
create table ${schema}.effect (
  service text collate "C", partition int, key text collate "C", queue text collate "C", seq bigint,
  head boolean not null, id text not null, name text not null, schema int not null, input text not null,
  attempts int not null, first_ms float8, due_ms float8 not null, error text, correlation text not null,
  causation text not null, traceparent text, primary key (service, partition, key, queue, seq)
) with (autovacuum_vacuum_scale_factor = 0.05);
create index effect_due on ${schema}.effect (service, partition, due_ms) where head;

-- form: of the body, utf8 or utf16le for a text, bytes for what is none.
create table ${schema}.parked (
  service text collate "C", partition int, key text collate "C", seq bigint, kind text not null, origin text not null,
  id text not null, type text not null, headers text not null, body bytea not null, form text not null,
  primary key (service, partition, key, seq)
);

create table ${schema}.parked_key (
  service text collate "C", partition int, key text collate "C", since_ms float8 not null, attempts int not null,
  due_ms float8, build text not null, fingerprint text not null, error text not null,
  primary key (service, partition, key)
) with (fillfactor = 70);

create table ${schema}.seen (
  service text collate "C", source text collate "C", id text collate "C", at_ms float8 not null,
  primary key (service, source, id)
) with (autovacuum_vacuum_scale_factor = 0.05);
create index seen_at on ${schema}.seen (service, at_ms);

create table ${schema}.spool (
  seq bigint generated always as identity primary key, topic text collate "C" not null, partition int not null,
  record bytea not null
);
create index spool_topic on ${schema}.spool (topic, seq);

create table ${schema}.spool_lease (
  one boolean primary key default true check (one), holder text not null, until timestamptz not null
) with (fillfactor = 20);
insert into ${schema}.spool_lease values (true, '', '-infinity');

-- Bodies of some kilobytes are compressed at every write: by the quicker of the two ways where the server has it.
do $$ begin
  if (select 'lz4' = any(enumvals) from pg_catalog.pg_settings where name = 'default_toast_compression') then
    alter table ${schema}.state alter body set compression lz4;
    alter table ${schema}.outbox alter records set compression lz4;
    alter table ${schema}.spool alter record set compression lz4;
    alter table ${schema}.parked alter body set compression lz4;
  end if;
end $$;
`;
}
