-- Tells anew of a product's level.
-- KEYS: 1 the product's level, 2 the outbox
-- ARGV: 1 product, 2 begin of the event
-- Returns 1 where there is such a product.
local is = redis.call('HMGET', KEYS[1], 'level', 'reserved', 'delivered', 'version')
if not is[1] then
  return 0
end
redis.call('XADD', KEYS[2], '*', 'ce', ARGV[2] .. string.format(
  ',"version":%d,"datacontenttype":"application/json","data":{"product_id":"%s","level":%d,"reserved":%d,"delivered":%d}}',
  is[4], ARGV[1], is[1], is[2], is[3]))
return 1
