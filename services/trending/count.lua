-- Counts a confirmed order once.
-- KEYS: 1 sellers, 2 counted orders, 3 time up to which all orders are archived
-- ARGV: 1 order, 2 product, 3 when it was placed, in ms
-- Returns 1 where it was counted now, 0 where it had been or is archived.
local archived = redis.call('GET', KEYS[3])
if archived and tonumber(ARGV[3]) <= tonumber(archived) then
  return 0
end
if redis.call('ZADD', KEYS[2], 'NX', ARGV[3], ARGV[1]) == 0 then
  return 0
end
redis.call('ZINCRBY', KEYS[1], 1, ARGV[2])
return 1
