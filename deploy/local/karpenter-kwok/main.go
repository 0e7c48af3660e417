// Command karpenter-kwok is Karpenter with its kwok provider, which can also run out of machines.
//
// All controllers and the provider are Karpenter's own, put together as its kwok/main.go does. One
// thing is added: an offering that the instance types file marks as not available is refused with
// Karpenter's typed error, as the providers of clouds do. The kwok provider takes every offering
// for available, and panics where none matches.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/samber/lo"
	corev1 "k8s.io/api/core/v1"
	kwok "sigs.k8s.io/karpenter/kwok/cloudprovider"
	kwokoptions "sigs.k8s.io/karpenter/kwok/options"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/cloudprovider/overlay"
	"sigs.k8s.io/karpenter/pkg/controllers"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	"sigs.k8s.io/karpenter/pkg/operator"
	"sigs.k8s.io/karpenter/pkg/scheduling"
)

func main() {
	ctx, op := operator.NewOperator()
	instanceTypes := lo.Must(kwok.ConstructInstanceTypes(ctx))
	undecorated := limited{
		CloudProvider: kwok.NewCloudProvider(ctx, op.GetClient(), instanceTypes),
		file:          kwokoptions.FromContext(ctx).InstanceTypesFilePath,
	}
	provider := overlay.Decorate(undecorated, op.GetClient(), op.InstanceTypeStore)
	cluster := state.NewCluster(op.Clock, op.GetClient(), provider)
	op.WithControllers(ctx, controllers.NewControllers(
		ctx, op.Manager, op.Clock, op.GetClient(), op.EventRecorder,
		provider, undecorated, cluster, op.InstanceTypeStore,
	)...).Start(ctx)
}

// limited is a provider that has only the offerings that the file says are available.
type limited struct {
	cloudprovider.CloudProvider
	// file is read at every Create, so that capacity can come and go; empty: everything is available.
	file string
}

func (l limited) Create(ctx context.Context, claim *v1.NodeClaim) (*v1.NodeClaim, error) {
	if l.file != "" {
		if err := l.refusal(claim); err != nil {
			return nil, err
		}
	}
	return l.CloudProvider.Create(ctx, claim)
}

func (l limited) refusal(claim *v1.NodeClaim) error {
	raw, err := os.ReadFile(l.file)
	if err != nil {
		return fmt.Errorf("reading instance types, %w", err)
	}
	var sold []kwok.InstanceTypeOptions
	if err := json.Unmarshal(raw, &sold); err != nil {
		return fmt.Errorf("reading instance types, %w", err)
	}
	wanted := scheduling.NewNodeSelectorRequirementsWithMinValues(claim.Spec.Requirements...)
	named := lo.Filter(sold, func(t kwok.InstanceTypeOptions, _ int) bool {
		return wanted.Get(corev1.LabelInstanceTypeStable).Has(t.Name)
	})
	// A type that is not sold at all is the provider's own error.
	if len(named) == 0 || lo.SomeBy(named, func(t kwok.InstanceTypeOptions) bool { return has(t, wanted) }) {
		return nil
	}
	return cloudprovider.NewInsufficientCapacityError(fmt.Errorf(
		"no capacity for %s", wanted.Get(corev1.LabelInstanceTypeStable)))
}

func has(sold kwok.InstanceTypeOptions, wanted scheduling.Requirements) bool {
	return lo.SomeBy(sold.Offerings, func(o kwok.KWOKOffering) bool {
		offered := scheduling.NewNodeSelectorRequirements(o.Requirements...)
		return o.Available && wanted.IsCompatible(offered, scheduling.AllowUndefinedWellKnownLabels)
	})
}
