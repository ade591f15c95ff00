-- Takes an archived order out and remembers it, so that it does not come back.
-- KEYS: 1 orders, 2 prefix of the users' keys, 3 archived orders by time, 4 prefix of the pairs' keys
-- ARGV: 1 order, 2 time in ms when it was archived, 3 how many archived orders to remember
-- Returns 1 where it was kept until now, else 0.
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
if redis.call('ZCARD', KEYS[3]) > tonumber(ARGV[3]) then
  redis.call('ZPOPMIN', KEYS[3])
end
local kept = redis.call('HGET', KEYS[1], ARGV[1])
if not kept then
  return 0
end
local order = cjson.decode(kept)
local user, of = KEYS[2] .. order.user_id, {}
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', user, ARGV[1])
for _, id in ipairs(redis.call('ZRANGE', user, 0, -1)) do
  of[cjson.decode(redis.call('HGET', KEYS[1], id)).product_id] = true
end
if of[order.product_id] then
  return 1 -- the user bought it once more
end
for other in pairs(of) do
  for _, two in ipairs({{order.product_id, other}, {other, order.product_id}}) do
    if tonumber(redis.call('ZINCRBY', KEYS[4] .. two[1], -1, two[2])) <= 0 then
      redis.call('ZREM', KEYS[4] .. two[1], two[2])
    end
  end
end
return 1
