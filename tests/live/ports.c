/* Prints as many free TCP ports of 127.0.0.1 as asked for, drawn by the kernel; all are held until the last one is known. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	int wanted = argc == 2 ? atoi(argv[1]) : 0;

	for (int i = 0; i < wanted; i++) {
		struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
		socklen_t length = sizeof at;
		int s = socket(AF_INET, SOCK_STREAM, 0);
		if (s < 0 || bind(s, (struct sockaddr *)&at, sizeof at) != 0 ||
		    getsockname(s, (struct sockaddr *)&at, &length) != 0)
			return 1;
		printf("%d\n", ntohs(at.sin_port));
	}
	return 0;
}
