package workloads

import (
	"context"
	"errors"
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

type mongodb struct {
	client  *mongo.Client
	db      *mongo.Database
	journal bool // the address asks for it
}

func openMongo(url string) (engine, error) {
	o := options.Client().ApplyURI(url)
	client, err := mongo.Connect(o.SetMaxPoolSize(workers).SetConnectTimeout(opWithin).
		SetServerSelectionTimeout(opWithin).SetRetryWrites(false)) // a write that is tried again would count twice
	if err != nil {
		return nil, errors.New("its address cannot be read")
	}
	journal := o.WriteConcern != nil && o.WriteConcern.Journal != nil && *o.WriteConcern.Journal
	return &mongodb{client, client.Database(scratch), journal}, nil
}

func (m *mongodb) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = m.client.Disconnect(ctx) // what is left ends with the process
}

func (m *mongodb) clean(ctx context.Context) error { return m.db.Drop(ctx) }

// named is a user or product.
type named struct {
	ID   string `bson:"_id"`
	Name string `bson:"name"`
}

// order is what the join stores.
type order struct {
	ID      string `bson:"_id"`
	User    string `bson:"user"`
	Product string `bson:"product"`
}

// byID finds by an id that is a text, as the services' are: embedded engines look up no other one fast.
func byID(id string) bson.D { return bson.D{{Key: "_id", Value: id}} }

func (m *mongodb) prepare(ctx context.Context) error {
	if err := m.db.Drop(ctx); err != nil {
		return err
	}
	var docs, users, products []any
	for i := range subjects {
		docs = append(docs, struct {
			ID      string  `bson:"_id"`
			Product product `bson:",inline"`
		}{userName(i), productOf(i)})
		users = append(users, named{userName(i), userName(i)})
		products = append(products, named{productName(i), productName(i)})
	}
	for name, all := range map[string][]any{"counter": {bson.D{{Key: "_id", Value: "all"}, {Key: "n", Value: int64(0)}}},
		"documents": docs, "users": users, "products": products} {
		if _, err := m.db.Collection(name).InsertMany(ctx, all); err != nil {
			return err
		}
	}
	return nil
}

func (m *mongodb) count(ctx context.Context) error {
	res, err := m.db.Collection("counter").UpdateOne(ctx, byID("all"), bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: int64(1)}}}})
	if err == nil && res.MatchedCount != 1 {
		err = errors.New("the counter is gone")
	}
	return err
}

func (m *mongodb) counted(ctx context.Context) (int64, error) {
	var c struct{ N int64 }
	return c.N, m.find(ctx, "counter", "all", &c)
}

func (m *mongodb) find(ctx context.Context, collection, id string, into any) error {
	return m.db.Collection(collection).FindOne(ctx, byID(id)).Decode(into)
}

func (m *mongodb) document(ctx context.Context, doc, n int) error {
	var d product
	if err := m.find(ctx, "documents", userName(doc), &d); err != nil {
		return err
	}
	if err := d.whole(); err != nil {
		return err
	}
	_, err := m.db.Collection("documents").UpdateOne(ctx, byID(userName(doc)), bson.D{{Key: "$set", Value: bson.D{{Key: "variants.1.units", Value: n}}}})
	return err
}

func (m *mongodb) join(ctx context.Context, n int64, user, product int) error {
	id := strconv.FormatInt(n, 10)
	if err := m.insert(ctx, order{id, userName(user), productName(product)}); err != nil {
		return err
	}
	var o order
	var u, p named
	if err := m.find(ctx, "orders", id, &o); err != nil {
		return err
	}
	if err := m.find(ctx, "users", o.User, &u); err != nil {
		return err
	}
	if err := m.find(ctx, "products", o.Product, &p); err != nil {
		return err
	}
	return rightNames(user, product, u.Name, p.Name)
}

// errNobody is why an order is not stored.
var errNobody = errors.New("its user or product does not exist")

// insert stores the order where its user and product are there when they are looked for.
func (m *mongodb) insert(ctx context.Context, o order) error {
	for collection, id := range map[string]string{"users": o.User, "products": o.Product} {
		var there named
		err := m.find(ctx, collection, id, &there)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return errNobody
		}
		if err != nil {
			return err
		}
	}
	_, err := m.db.Collection("orders").InsertOne(ctx, o)
	return err
}

func (m *mongodb) refuses(ctx context.Context) error {
	err := m.insert(ctx, order{"-1", userName(-1), productName(0)})
	if errors.Is(err, errNobody) {
		return nil
	}
	return errors.Join(errors.New("an order of nobody was not refused"), err)
}

// disk goes by what is asked of the server, and by what the server says it is.
func (m *mongodb) disk(ctx context.Context) (string, error) {
	var info struct {
		FerretDB string `bson:"ferretdbVersion"`
	}
	if err := m.client.Database("admin").RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&info); err != nil {
		return "", err
	}
	switch {
	case info.FerretDB != "":
		return "FerretDB keeps it in SQLite, which decides when the disk is waited for.", nil
	case m.journal:
		return "Every change waits for the journal on the disk.", nil
	}
	return "Changes wait for memory only: no journal is asked for.", nil
}

func (m *mongodb) words(workload string) (how, keeps string) {
	switch workload {
	case "counter":
		return "updateOne with $inc on one document: the server adds.", "Exact: no increment is lost."
	case "document":
		return "findOne, then updateOne with $set of one path inside the document.", "Nothing of a neighbour's change is lost."
	}
	return "By hand: two reads to check, an insert, three reads to put it together; six round trips.",
		"Only while nobody removes a user between the check and the insert: no constraint stands in the database."
}
