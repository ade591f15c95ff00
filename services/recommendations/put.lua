-- Keeps a confirmed order among the newest of its user, and counts the products that the user has both of from then on.
-- KEYS: 1 orders, 2 the user's orders by time, 3 archived orders, 4 prefix of the pairs' keys
-- ARGV: 1 order, 2 time in ms, 3 what is kept of it (JSON), 4 how many orders of a user to keep
-- Returns 1 where it is kept from now on, 0 where it was, where it is too old, and where it is archived.
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 or redis.call('ZSCORE', KEYS[3], ARGV[1]) then
  return 0
end

-- How many of the user's orders are of each product, leaving one order out.
local function counts(without)
  local of = {}
  for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    local kept = id ~= without and redis.call('HGET', KEYS[1], id)
    if kept then
      local product = cjson.decode(kept).product_id
      of[product] = (of[product] or 0) + 1
    end
  end
  return of
end

-- A product that the user has none else of comes to all others, or goes.
local function pair(product, of, by)
  if of[product] then
    return
  end
  for other in pairs(of) do
    for _, two in ipairs({{product, other}, {other, product}}) do
      if tonumber(redis.call('ZINCRBY', KEYS[4] .. two[1], by, two[2])) <= 0 then
        redis.call('ZREM', KEYS[4] .. two[1], two[2])
      end
    end
  end
end

redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
pair(cjson.decode(ARGV[3]).product_id, counts(ARGV[1]), 1)
local stays = 1
if redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[4]) then
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  pair(cjson.decode(redis.call('HGET', KEYS[1], oldest)).product_id, counts(oldest), -1)
  redis.call('ZREM', KEYS[2], oldest)
  redis.call('HDEL', KEYS[1], oldest)
  if oldest == ARGV[1] then
    stays = 0
  end
end
return stays
