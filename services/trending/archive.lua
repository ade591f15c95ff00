-- Counts an order no more, once, and none that was placed then or before.
-- KEYS: 1 sellers, 2 counted orders, 3 time up to which all orders are archived
-- ARGV: 1 order, 2 product, 3 when it was placed, in ms
-- Returns 1 where it had been counted.
local archived = redis.call('GET', KEYS[3])
if not archived or tonumber(archived) < tonumber(ARGV[3]) then
  redis.call('SET', KEYS[3], ARGV[3])
end
if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then
  return 0
end
if tonumber(redis.call('ZINCRBY', KEYS[1], -1, ARGV[2])) <= 0 then
  redis.call('ZREM', KEYS[1], ARGV[2])
end
return 1
