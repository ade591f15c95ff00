-- Keeps a copy of a product unless a newer one is there.
-- KEYS: 1 the copy
-- ARGV: 'version', its number, then further fields and their values
-- Returns 1 where it was kept now, else the version that is there, negative.
local kept = redis.call('HGET', KEYS[1], 'version')
if kept and tonumber(kept) >= tonumber(ARGV[2]) then
  return -tonumber(kept)
end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
