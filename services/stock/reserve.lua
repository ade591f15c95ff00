-- Holds units of a product for an order, or refuses to, once; the shelf is filled up where it runs low.
-- KEYS: 1 the product's level, 2 reservations by order, 3 orders by age, 4 the outbox
-- ARGV: 1 order, 2 product, 3 units, 4 reservation as JSON, 5 reservations to remember,
--       6 event that it is reserved, 7 event that it is sold out, 8 event that the product is unknown,
--       9 units below which a delivery comes, 10 units of a delivery, 11 begin of the event of a delivery
-- Returns the state: reserved, sold out, unknown product; and 1 where that was decided now.
local old = redis.call('HGET', KEYS[2], ARGV[1])
local state = old and string.match(old, '^([^|]+)|')
if state and state ~= 'released' then
  return {state, 0}
end
local units = tonumber(ARGV[3])
local level = tonumber(redis.call('HGET', KEYS[1], 'level'))
local event
if not level then
  state, event = 'unknown product', ARGV[8]
elseif level < units then
  state, event = 'sold out', ARGV[7]
else
  state, event = 'reserved', ARGV[6]
  level = redis.call('HINCRBY', KEYS[1], 'level', -units)
  redis.call('HINCRBY', KEYS[1], 'reserved', units)
  redis.call('HINCRBY', KEYS[1], 'version', 1)
end
redis.call('HSET', KEYS[2], ARGV[1], state .. '|' .. ARGV[2] .. '|' .. ARGV[3] .. '|' .. ARGV[4])
if not old and redis.call('RPUSH', KEYS[3], ARGV[1]) > tonumber(ARGV[5]) then
  redis.call('HDEL', KEYS[2], redis.call('LPOP', KEYS[3]))
end
redis.call('XADD', KEYS[4], '*', 'ce', event)
if level and (state == 'sold out' or level < tonumber(ARGV[9])) then
  local now = redis.call('HINCRBY', KEYS[1], 'level', ARGV[10])
  local delivered = redis.call('HINCRBY', KEYS[1], 'delivered', ARGV[10])
  local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
  local reserved = redis.call('HGET', KEYS[1], 'reserved')
  redis.call('XADD', KEYS[4], '*', 'ce', ARGV[11] .. string.format(
    ',"version":%d,"datacontenttype":"application/json","data":{"product_id":"%s","level":%d,"reserved":%d,"delivered":%d}}',
    version, ARGV[2], now, tonumber(reserved), delivered))
end
return {state, 1}
