// Enforces NetworkPolicy objects on the node of the cluster tier: the policy controller of kube-router, without the rest
// of that program. It needs iptables, ip6tables and ipset on the path, and runs until it is killed.
package main

import (
	"flag"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cloudnativelabs/kube-router/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/pkg/options"
	networking "k8s.io/api/networking/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "how the API server is reached")
	node := flag.String("node", "", "name of this node")
	services := flag.String("services", "", "service range of the cluster")
	flag.Parse()

	rest, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		klog.Fatal(err)
	}
	client := kubernetes.NewForConfigOrDie(rest)
	if err := os.Setenv("NODE_NAME", *node); err != nil {
		klog.Fatal(err)
	}
	config := options.NewKubeRouterConfig()
	config.HostnameOverride = *node
	config.ClusterIPCIDR = *services
	config.IPTablesSyncPeriod = time.Minute

	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	if err := policies.SetTransform(onlyVersion4); err != nil {
		klog.Fatal(err)
	}
	var ipsets sync.Mutex
	controller, err := netpol.NewNetworkPolicyController(client, config, pods, policies, namespaces, &ipsets)
	if err != nil {
		klog.Fatal(err)
	}
	forever := make(chan struct{})
	factory.Start(forever)
	factory.WaitForCacheSync(forever)
	pods.AddEventHandler(controller.PodEventHandler)
	policies.AddEventHandler(controller.NetworkPolicyEventHandler)
	namespaces.AddEventHandler(controller.NamespaceEventHandler)

	beats := make(chan *healthcheck.ControllerHeartbeat, 10)
	go func() {
		for range beats {
		}
	}()
	var running sync.WaitGroup
	running.Add(1)
	controller.Run(beats, forever, &running)
}

// onlyVersion4 leaves out address ranges of IPv6, on which the controller gives up: the pods of this cluster have none.
func onlyVersion4(object interface{}) (interface{}, error) {
	policy, ok := object.(*networking.NetworkPolicy)
	if !ok {
		return object, nil
	}
	ingress := policy.Spec.Ingress[:0]
	for _, rule := range policy.Spec.Ingress {
		before := len(rule.From)
		rule.From = peersOfVersion4(rule.From)
		// A rule whose last peer went would let everybody in.
		if before == 0 || len(rule.From) > 0 {
			ingress = append(ingress, rule)
		}
	}
	policy.Spec.Ingress = ingress
	egress := policy.Spec.Egress[:0]
	for _, rule := range policy.Spec.Egress {
		before := len(rule.To)
		rule.To = peersOfVersion4(rule.To)
		if before == 0 || len(rule.To) > 0 {
			egress = append(egress, rule)
		}
	}
	policy.Spec.Egress = egress
	return policy, nil
}

func peersOfVersion4(peers []networking.NetworkPolicyPeer) []networking.NetworkPolicyPeer {
	kept := peers[:0]
	for _, peer := range peers {
		if peer.IPBlock == nil || !strings.Contains(peer.IPBlock.CIDR, ":") {
			kept = append(kept, peer)
		}
	}
	return kept
}
