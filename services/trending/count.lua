-- Counts a confirmed order once.
-- KEYS: 1 sellers, 2 counted orders by time, 3 time of the newest counted order that was forgotten
-- ARGV: 1 order, 2 product, 3 time in ms, 4 how many counted orders to remember
-- Returns 1 where it was counted now, 0 where it had been.
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  return 0
end
local forgotten = redis.call('GET', KEYS[3])
if forgotten and tonumber(ARGV[3]) <= tonumber(forgotten) then
  return 0
end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('ZINCRBY', KEYS[1], 1, ARGV[2])
if redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[4]) then
  redis.call('SET', KEYS[3], redis.call('ZPOPMIN', KEYS[2])[2])
end
return 1
