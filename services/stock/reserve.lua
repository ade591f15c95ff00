-- Holds units of a product for an order, or refuses to, once; the shelf is filled up where it runs low.
-- KEYS: 1 the product's level, 2 reservations by order, 3 orders by age, 4 the outbox
-- ARGV: 1 order, 2 product, 3 units, 4 reservation as JSON, 5 reservations to remember,
--       6 begin of the event that it is reserved, 7 begin of the event that it is refused,
--       8 units below which a delivery comes, 9 units of a delivery, 10 begin of the event of a delivery
-- Returns the state: reserved, sold out, unknown product; and 1 where that was decided now.
local function tell(begin, version, data)
  redis.call('XADD', KEYS[4], '*', 'ce', begin .. string.format(
    ',"version":%d,"datacontenttype":"application/json","data":', version) .. data .. '}')
end
local old = redis.call('HGET', KEYS[2], ARGV[1])
local version = 1
if old then
  local state, was = string.match(old, '^([^|]+)|[^|]+|%d+|(%d+)|')
  if state ~= 'released' then
    return {state, 0}
  end
  version = was + 1
end
local units = tonumber(ARGV[3])
local level = tonumber(redis.call('HGET', KEYS[1], 'level'))
local state, begin, data
if level and level >= units then
  state, begin, data = 'reserved', ARGV[6], ARGV[4]
  level = redis.call('HINCRBY', KEYS[1], 'level', -units)
  redis.call('HINCRBY', KEYS[1], 'reserved', units)
  redis.call('HINCRBY', KEYS[1], 'version', 1)
else
  state, begin = level and 'sold out' or 'unknown product', ARGV[7]
  data = string.sub(ARGV[4], 1, -2) .. ',"reason":"' .. state .. '"}'
end
redis.call('HSET', KEYS[2], ARGV[1], table.concat({state, ARGV[2], ARGV[3], version, ARGV[4]}, '|'))
if not old and redis.call('RPUSH', KEYS[3], ARGV[1]) > tonumber(ARGV[5]) then
  redis.call('HDEL', KEYS[2], redis.call('LPOP', KEYS[3]))
end
tell(begin, version, data)
if level and (state == 'sold out' or level < tonumber(ARGV[8])) then
  local now = redis.call('HINCRBY', KEYS[1], 'level', ARGV[9])
  local delivered = redis.call('HINCRBY', KEYS[1], 'delivered', ARGV[9])
  local reserved = tonumber(redis.call('HGET', KEYS[1], 'reserved'))
  tell(ARGV[10], redis.call('HINCRBY', KEYS[1], 'version', 1), string.format(
    '{"product_id":"%s","level":%d,"reserved":%d,"delivered":%d}', ARGV[2], now, reserved, delivered))
end
return {state, 1}
