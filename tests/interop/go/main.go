// Google's own client makes the calls that are asked for, over REST. Prints what came of each.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/credentials/idtoken"
	"cloud.google.com/go/iam/apiv1/iampb"
	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	pb "cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"github.com/googleapis/gax-go/v2/apierror"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	locationpb "google.golang.org/genproto/googleapis/cloud/location"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

type task struct {
	Endpoint string            `json:"endpoint"`
	Audience string            `json:"audience"` // of Google Distributed Cloud
	Calls    []json.RawMessage `json:"calls"`
}

type result struct {
	Reply json.RawMessage `json:"reply,omitempty"`
	Error string          `json:"error,omitempty"`
	Code  int             `json:"code,omitempty"`
}

// call reads a request of type T and gives what the method makes of it.
func call[T any, M interface {
	*T
	proto.Message
}, R proto.Message](ctx context.Context, text []byte, method func(context.Context, M) (R, error)) (any, error) {
	request := M(new(T))
	if err := protojson.Unmarshal(text, request); err != nil {
		return nil, err
	}
	reply, err := method(ctx, request)
	if err != nil {
		return nil, err
	}
	text, err = protojson.Marshal(reply)
	return json.RawMessage(text), err
}

// list does the same for a method with pages, all of which it asks for.
func list[T any, M interface {
	*T
	proto.Message
}, R proto.Message](ctx context.Context, text []byte, method func(context.Context, M) func() (R, error)) (any, error) {
	request := M(new(T))
	if err := protojson.Unmarshal(text, request); err != nil {
		return nil, err
	}
	next, rows := method(ctx, request), []json.RawMessage{}
	for {
		row, err := next()
		if errors.Is(err, iterator.Done) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := protojson.Marshal(row)
		if err != nil {
			return nil, err
		}
		rows = append(rows, text)
	}
}

func do(ctx context.Context, client *secretmanager.Client, name string, text []byte) (any, error) {
	switch name {
	case "createSecret":
		return call(ctx, text, func(ctx context.Context, r *pb.CreateSecretRequest) (*pb.Secret, error) {
			return client.CreateSecret(ctx, r)
		})
	case "getSecret":
		return call(ctx, text, func(ctx context.Context, r *pb.GetSecretRequest) (*pb.Secret, error) {
			return client.GetSecret(ctx, r)
		})
	case "updateSecret":
		return call(ctx, text, func(ctx context.Context, r *pb.UpdateSecretRequest) (*pb.Secret, error) {
			return client.UpdateSecret(ctx, r)
		})
	case "deleteSecret":
		request := new(pb.DeleteSecretRequest)
		if err := protojson.Unmarshal(text, request); err != nil {
			return nil, err
		}
		return struct{}{}, client.DeleteSecret(ctx, request)
	case "listSecrets":
		return list(ctx, text, func(ctx context.Context, r *pb.ListSecretsRequest) func() (*pb.Secret, error) {
			return client.ListSecrets(ctx, r).Next
		})
	case "listSecretVersions":
		return list(ctx, text, func(ctx context.Context, r *pb.ListSecretVersionsRequest) func() (*pb.SecretVersion, error) {
			return client.ListSecretVersions(ctx, r).Next
		})
	case "addSecretVersion":
		return call(ctx, text, func(ctx context.Context, r *pb.AddSecretVersionRequest) (*pb.SecretVersion, error) {
			return client.AddSecretVersion(ctx, r)
		})
	case "getSecretVersion":
		return call(ctx, text, func(ctx context.Context, r *pb.GetSecretVersionRequest) (*pb.SecretVersion, error) {
			return client.GetSecretVersion(ctx, r)
		})
	case "accessSecretVersion":
		return call(ctx, text, func(ctx context.Context, r *pb.AccessSecretVersionRequest) (*pb.AccessSecretVersionResponse, error) {
			return client.AccessSecretVersion(ctx, r)
		})
	}
	return doMore(ctx, client, name, text)
}

func doMore(ctx context.Context, client *secretmanager.Client, name string, text []byte) (any, error) {
	switch name {
	case "disableSecretVersion":
		return call(ctx, text, func(ctx context.Context, r *pb.DisableSecretVersionRequest) (*pb.SecretVersion, error) {
			return client.DisableSecretVersion(ctx, r)
		})
	case "enableSecretVersion":
		return call(ctx, text, func(ctx context.Context, r *pb.EnableSecretVersionRequest) (*pb.SecretVersion, error) {
			return client.EnableSecretVersion(ctx, r)
		})
	case "destroySecretVersion":
		return call(ctx, text, func(ctx context.Context, r *pb.DestroySecretVersionRequest) (*pb.SecretVersion, error) {
			return client.DestroySecretVersion(ctx, r)
		})
	case "getIamPolicy":
		return call(ctx, text, func(ctx context.Context, r *iampb.GetIamPolicyRequest) (*iampb.Policy, error) {
			return client.GetIamPolicy(ctx, r)
		})
	case "setIamPolicy":
		return call(ctx, text, func(ctx context.Context, r *iampb.SetIamPolicyRequest) (*iampb.Policy, error) {
			return client.SetIamPolicy(ctx, r)
		})
	case "testIamPermissions":
		return call(ctx, text, func(ctx context.Context, r *iampb.TestIamPermissionsRequest) (*iampb.TestIamPermissionsResponse, error) {
			return client.TestIamPermissions(ctx, r)
		})
	case "enableManagedRotation":
		return call(ctx, text, func(ctx context.Context, r *pb.EnableManagedRotationRequest) (*pb.SecretVersion, error) {
			return client.EnableManagedRotation(ctx, r)
		})
	case "rotateSecret":
		return call(ctx, text, func(ctx context.Context, r *pb.RotateSecretRequest) (*pb.SecretVersion, error) {
			return client.RotateSecret(ctx, r)
		})
	case "getLocation":
		return call(ctx, text, func(ctx context.Context, r *locationpb.GetLocationRequest) (*locationpb.Location, error) {
			return client.GetLocation(ctx, r)
		})
	case "listLocations":
		return list(ctx, text, func(ctx context.Context, r *locationpb.ListLocationsRequest) func() (*locationpb.Location, error) {
			return client.ListLocations(ctx, r).Next
		})
	case "idToken":
		return idToken(ctx, text)
	}
	return nil, fmt.Errorf("no such call: %s", name)
}

func idToken(ctx context.Context, text []byte) (any, error) {
	var request struct {
		Audience string `json:"audience"`
	}
	if err := json.Unmarshal(text, &request); err != nil {
		return nil, err
	}
	creds, err := idtoken.NewCredentials(&idtoken.Options{Audience: request.Audience})
	if err != nil {
		return nil, err
	}
	token, err := creds.Token(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]string{"token": token.Value}, nil
}

func newClient(ctx context.Context, wanted task) (*secretmanager.Client, error) {
	options := []option.ClientOption{}
	if wanted.Endpoint != "" {
		options = append(options, option.WithEndpoint(wanted.Endpoint))
	}
	if wanted.Audience != "" {
		creds, err := credentials.DetectDefault(&credentials.DetectOptions{
			STSAudience: wanted.Audience,
			Scopes:      secretmanager.DefaultAuthScopes(),
		})
		if err != nil {
			return nil, err
		}
		options = append(options, option.WithAuthCredentials(creds))
	}
	return secretmanager.NewRESTClient(ctx, options...)
}

func outcome(reply any, err error) result {
	if err != nil {
		code := 0
		var failed *apierror.APIError
		if errors.As(err, &failed) {
			code = failed.HTTPCode()
		}
		return result{Error: err.Error(), Code: code}
	}
	text, err := json.Marshal(reply)
	if err != nil {
		return result{Error: err.Error()}
	}
	return result{Reply: text}
}

func main() {
	ctx, results := context.Background(), []result{}
	var wanted task
	err := json.Unmarshal([]byte(os.Args[1]), &wanted)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	client, err := newClient(ctx, wanted)
	for _, row := range wanted.Calls {
		var name string
		var request json.RawMessage
		if err := json.Unmarshal(row, &[]any{&name, &request}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if err != nil {
			results = append(results, outcome(nil, err))
			continue
		}
		results = append(results, outcome(do(ctx, client, name, request)))
	}
	text, _ := json.Marshal(results)
	fmt.Println(string(text))
}
