package main

import (
	"fmt"
	"net/url"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
	genericapiserver "k8s.io/apiserver/pkg/server"
)

// newEtcdCommand returns a one-member etcd that listens on loopback only.
//
// etcd's own command line is not linked: it brings a second flag library, and a local cluster needs
// four settings.
func newEtcdCommand() *cobra.Command {
	var dataDir string
	var clientPort, peerPort int
	var unsafeNoFsync bool
	command := &cobra.Command{
		Use:          "etcd",
		Short:        "One etcd member on 127.0.0.1, for a cluster that lives on one machine",
		SilenceUsage: true,
		RunE: func(*cobra.Command, []string) error {
			config := embed.NewConfig()
			config.Dir = dataDir
			config.LogLevel = "error"
			// A local cluster is thrown away with its directory: waiting for the disk buys nothing.
			config.UnsafeNoFsync = unsafeNoFsync
			client := loopback(clientPort)
			peer := loopback(peerPort)
			config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
			config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
			config.InitialCluster = config.InitialClusterFromName(config.Name)

			stop := genericapiserver.SetupSignalContext()
			server, err := embed.StartEtcd(config)
			if err != nil {
				return err
			}
			defer server.Close()
			select {
			case <-stop.Done():
				return nil
			case err := <-server.Err():
				return err
			}
		},
	}
	flags := command.Flags()
	flags.StringVar(&dataDir, "data-dir", "default.etcd", "directory of the data")
	flags.IntVar(&clientPort, "client-port", 2379, "port for clients, on 127.0.0.1")
	flags.IntVar(&peerPort, "peer-port", 2380, "port for peers, on 127.0.0.1")
	flags.BoolVar(&unsafeNoFsync, "unsafe-no-fsync", false, "do not wait for the disk")
	return command
}

func loopback(port int) url.URL {
	return url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}
}
